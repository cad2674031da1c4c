! SPDX-License-Identifier: MIT
!> How many bricks along each axis: the fewest atoms on a rank, ghosts included.
module test_grid_shape
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_grid, only : choose_shape
   use brick_samples, only : shape_text
   use test_runner, only : check
   implicit none
   private
   public :: test_shape_sensible, test_shape_fewest, test_shape_ties

contains


!> Cubes for a cube, slabs for a rod, and never more axes than needed when the halo is wider than the box
subroutine test_shape_sensible(error)
   type(error_type), allocatable, intent(out) :: error
   real(dp), parameter :: cube(3) = 30.0_dp
   real(dp) :: rod(3)
   integer :: axis, n, wanted(3)

   call check(error, all(choose_shape(1, cube, 5.0_dp) == 1), "one rank")
   ! Nothing is seen twice along an axis that is not cut: 30 x 17 x 9.5 is less than 17 x 17 x 17
   call check(error, all(choose_shape(8, cube, 1.0_dp) == [1, 2, 4]), "eight columns")
   call check(error, all(choose_shape(27, cube, 1.0_dp) == 3), "27 cubes")
   call check(error, all(choose_shape(64, cube, 1.0_dp) == 4), "64 cubes")
   do axis = 1, 3
      rod = 10.0_dp
      rod(axis) = 100.0_dp
      do n = 2, 8
         wanted = 1
         wanted(axis) = n
         call check(error, all(choose_shape(n, rod, 3.0_dp) == wanted), to_text(n) // " slabs across axis " // &
            & to_text(axis) // " are " // shape_text(choose_shape(n, rod, 3.0_dp)))
      end do
      wanted = 1
      wanted(axis) = 3
      rod(axis) = 90.0_dp
      rod(modulo(axis, 3) + 1) = 30.0_dp
      call check(error, all(choose_shape(3, rod, 5.0_dp) == wanted), "slabs across the longest of three")
   end do
   ! Twelve in a plate: columns, not slabs
   call check(error, all(choose_shape(12, [60.0_dp, 80.0_dp, 5.0_dp], 4.0_dp) == [3, 4, 1]), "columns in a plate are " &
      & // shape_text(choose_shape(12, [60.0_dp, 80.0_dp, 5.0_dp], 4.0_dp)))
   do n = 2, 64
      call check(error, count(choose_shape(n, cube, 1.0e6_dp) > 1) == 1, "a huge halo with " // to_text(n) // &
         & " ranks makes " // shape_text(choose_shape(n, cube, 1.0e6_dp)))
   end do
end subroutine test_shape_sensible


!> The product is the number of ranks, and no other shape needs fewer atoms, ghosts included
subroutine test_shape_fewest(error)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: width(3), halo
   integer :: n, trial, shape(3), a, b

   do n = 1, 64
      do trial = 1, 20
         call random_number(width)
         call random_number(halo)
         width = 5.0_dp + 60.0_dp*width
         halo = 10.0_dp**(5.0_dp*halo - 2.0_dp)
         if (trial == 1) halo = 0.0_dp
         if (trial == 2) halo = 1.0e9_dp
         shape = choose_shape(n, width, halo)
         if (any(shape < 1) .or. product(shape) /= n) then
            call fatal_error(error, shape_text(shape) // " bricks for " // to_text(n) // " ranks")
            return
         end if
         do a = 1, n
            do b = 1, n/a
               if (a*b*(n/(a*b)) /= n) cycle
               if (cost([a, b, n/(a*b)]) >= cost(shape)*(1.0_dp - 1.0e-8_dp)) cycle
               call fatal_error(error, shape_text([a, b, n/(a*b)]) // " bricks need fewer atoms than " // &
                  & shape_text(shape))
               return
            end do
         end do
      end do
   end do

contains

   !> Volume that one rank sees, Å³
   pure function cost(bricks)
      integer, intent(in) :: bricks(3)
      real(dp) :: cost
      integer :: k

      cost = 1.0_dp
      do k = 1, 3
         cost = cost*width(k)/bricks(k)
         if (bricks(k) > 1) cost = cost*(1.0_dp + 2.0_dp*halo*bricks(k)/width(k))
      end do
   end function cost

end subroutine test_shape_fewest


!> Shapes that cost the same: one of them always wins, whatever the last digits of the box
subroutine test_shape_ties(error)
   type(error_type), allocatable, intent(out) :: error
   integer, parameter :: ranks(*) = [2, 3, 4, 6, 12, 16, 18, 24, 36]
   real(dp) :: noise(3)
   integer :: i, trial, shape(3)

   do i = 1, size(ranks)
      shape = choose_shape(ranks(i), spread(20.0_dp, 1, 3), 6.0_dp)
      do trial = 1, 50
         call random_number(noise)
         if (all(choose_shape(ranks(i), 20.0_dp + 1.0e-11_dp*(noise - 0.5_dp), 6.0_dp) == shape)) cycle
         call fatal_error(error, "the shape for " // to_text(ranks(i)) // " ranks depends on rounding")
         return
      end do
   end do
end subroutine test_shape_ties

end module test_grid_shape
