! SPDX-License-Identifier: MIT
!> Random numbers: the published vectors of the generator, moments and independence of the normals.
module test_random
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_random, only : mix_seed, normal3, philox, purpose_langevin, purpose_velocity
   implicit none
   private
   public :: test_random_known_answers, test_random_moments, test_random_streams

contains


!> Known-answer vectors of Philox 4x32-10 (file kat_vectors of the authors' Random123 1.09)
subroutine test_random_known_answers(error)
   type(error_type), allocatable, intent(out) :: error
   integer(i8), parameter :: ones = int(z'FFFFFFFF', i8)

   call expect([0_i8, 0_i8, 0_i8, 0_i8], [0_i8, 0_i8], &
      & [int(z'6627E8D5', i8), int(z'E169C58D', i8), int(z'BC57AC4C', i8), int(z'9B00DBD8', i8)], error)
   if (.not. allocated(error)) call expect([ones, ones, ones, ones], [ones, ones], &
      & [int(z'408F276D', i8), int(z'41C83B0E', i8), int(z'A20BC7C6', i8), int(z'6D5451FD', i8)], error)
   if (.not. allocated(error)) call expect( &
      & [int(z'243F6A88', i8), int(z'85A308D3', i8), int(z'13198A2E', i8), int(z'03707344', i8)], &
      & [int(z'A4093822', i8), int(z'299F31D0', i8)], &
      & [int(z'D16CFE09', i8), int(z'94FDCCEB', i8), int(z'5001E420', i8), int(z'24126EA1', i8)], error)
end subroutine test_random_known_answers


subroutine expect(counter, key, answer, error)
   integer(i8), intent(in) :: counter(4), key(2), answer(4)
   type(error_type), allocatable, intent(out) :: error

   if (any(philox(counter, key) /= answer)) call fatal_error(error, "philox differs from the published vector")
end subroutine expect


!> Mean, variance, kurtosis and correlation of 300 000 normals, within five standard errors
subroutine test_random_moments(error)
   type(error_type), allocatable, intent(out) :: error
   integer, parameter :: n = 100000
   real(dp), allocatable :: x(:, :)
   real(dp) :: fourth
   integer :: iat

   allocate(x(3, n))
   do iat = 1, n
      x(:, iat) = normal3(20261121_i8, 7_i8, int(iat, i4), purpose_langevin)
   end do
   if (any(abs(sum(x, dim=2)/n) > 5.0_dp/sqrt(real(n, dp)))) call fatal_error(error, "the mean is not zero")
   if (abs(sum(x**2)/(3*n) - 1.0_dp) > 5.0_dp*sqrt(2.0_dp/(3*n))) call fatal_error(error, "the variance is not one")
   fourth = sum(x**4)/(3*n)
   if (abs(fourth - 3.0_dp) > 5.0_dp*sqrt(96.0_dp/(3*n))) call fatal_error(error, "the fourth moment is not three")
   if (abs(sum(x(1, :)*x(2, :))/n) > 5.0_dp/sqrt(real(n, dp))) call fatal_error(error, "x and y are correlated")
   if (abs(sum(x(1, :)*x(3, :))/n) > 5.0_dp/sqrt(real(n, dp))) call fatal_error(error, "x and z are correlated")
   if (abs(sum(x(1, 2:)*x(1, :n - 1))/n) > 5.0_dp/sqrt(real(n, dp))) call fatal_error(error, "atoms are correlated")
end subroutine test_random_moments


!> Seed, step, atom and purpose each change the numbers; the same four repeat them; large steps and seeds count whole
subroutine test_random_streams(error)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: base(3)
   integer(i8), parameter :: far = 2_i8**40

   base = normal3(1_i8, 2_i8, 3_i4, purpose_langevin)
   if (any(abs(base - normal3(1_i8, 2_i8, 3_i4, purpose_langevin)) > 0.0_dp)) call fatal_error(error, "not repeatable")
   if (.not. all(abs(base - normal3(2_i8, 2_i8, 3_i4, purpose_langevin)) > 0.0_dp)) call fatal_error(error, "seed")
   if (.not. all(abs(base - normal3(1_i8, 3_i8, 3_i4, purpose_langevin)) > 0.0_dp)) call fatal_error(error, "step")
   if (.not. all(abs(base - normal3(1_i8, 2_i8, 4_i4, purpose_langevin)) > 0.0_dp)) call fatal_error(error, "atom")
   if (.not. all(abs(base - normal3(1_i8, 2_i8, 3_i4, purpose_velocity)) > 0.0_dp)) call fatal_error(error, "purpose")
   if (.not. all(abs(base - normal3(1_i8, 2_i8 + far, 3_i4, purpose_langevin)) > 0.0_dp)) then
      call fatal_error(error, "the upper half of the step does not count")
   end if
   if (.not. all(abs(base - normal3(1_i8 + far, 2_i8, 3_i4, purpose_langevin)) > 0.0_dp)) then
      call fatal_error(error, "the upper half of the seed does not count")
   end if
   if (mix_seed(1_i8, 2_i8) == mix_seed(1_i8, 3_i8)) call fatal_error(error, "the nonce does not count")
   if (mix_seed(1_i8, 2_i8) < 0) call fatal_error(error, "a mixed seed is negative")
end subroutine test_random_streams

end module test_random
