! SPDX-License-Identifier: MIT
!> Halos of one rank: no ghosts at all, and what travels when the only peer is the rank itself.
module test_halo
   use, intrinsic :: iso_c_binding, only : c_double, c_float, c_int, c_loc
   use fennix_kinds, only : dp, i4
   use fennix_error, only : error_type, to_text
   use fennix_comm, only : new_serial_comm
   use fennix_cell, only : cell_type
   use fennix_grid, only : grid_type, new_grid
   use fennix_halo, only : grow, halo_type
   use fennix_halo_build, only : build_halo
   use fennix_halo_exchange, only : exchange_backward, exchange_double, exchange_features, exchange_forward, &
      & exchange_single
   use fennix_halo_swap, only : refresh_positions, return_forces
   use brick_samples, only : cell_name, n_cells, sample_cell, sample_positions
   use test_runner, only : check
   implicit none
   private
   public :: test_halo_alone, test_halo_again, test_halo_refresh, test_halo_own_images, test_halo_features, &
      & test_halo_wrong_arguments

contains


!> One rank sees its own atoms where they are and nothing else, however wide the halo
subroutine test_halo_alone(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type) :: halo
   real(dp), allocatable :: position(:, :)
   integer(i4), allocatable :: number(:), id(:)
   real(dp), parameter :: widths(3) = [0.0_dp, 4.0_dp, 60.0_dp], center_widths(3) = [-1.0_dp, 0.0_dp, 30.0_dp]
   integer :: kind, w, n

   do kind = 1, n_cells
      do w = 1, size(widths)
         do n = 0, 40, 20
            call build(halo, kind, n, widths(w), center_widths(w), position, number, id, error)
            if (allocated(error)) return
            call check(error, halo%n_local == n .and. halo%n_center == n .and. halo%n_total == n .and. &
               & halo%n_peers == 0, trim(cell_name(kind)) // ": " // to_text(halo%n_total - n) // " ghosts")
            call check(error, all(halo%number(:n) == number) .and. all(halo%id(:n) == id), "numbers or ids changed")
            call check(error, all(abs(halo%position(:, :n) - position) <= 0.0_dp), "positions changed")
            call check(error, all(abs(halo%fold) <= 0.0_dp) .and. size(halo%fold, 2) == n, "atoms were folded")
            call check(error, size(halo%forces, 2) >= n, "no room for the forces")
            call check_order(halo, error)
            if (allocated(error)) return
         end do
      end do
   end do
end subroutine test_halo_alone


!> A halo of so many random atoms on one rank, with ids in no order
subroutine build(halo, kind, n, width, center_width, position, number, id, error)
   type(halo_type), intent(inout) :: halo
   integer, intent(in) :: kind, n
   real(dp), intent(in) :: width, center_width
   real(dp), allocatable, intent(out) :: position(:, :)
   integer(i4), allocatable, intent(out) :: number(:), id(:)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   type(grid_type) :: grid
   integer :: iat

   call sample_cell(kind, cell, error)
   if (allocated(error)) return
   position = sample_positions(cell, n)
   number = [(int(1 + mod(iat, 8), i4), iat=1, n)]
   id = [(int(mod(37*iat, 101), i4), iat=1, n)]
   call new_grid(grid, [1, 1, 1], cell, [-5.0_dp, 3.0_dp, 40.0_dp], [8.0_dp, 16.0_dp, 53.0_dp])
   call build_halo(halo, new_serial_comm(), grid, number, id, position, width, center_width)
end subroutine build


!> Every atom once, by ascending id
subroutine check_order(halo, error)
   type(halo_type), intent(in) :: halo
   type(error_type), allocatable, intent(inout) :: error
   logical :: seen(halo%n_total)
   integer :: n

   n = halo%n_total
   call check(error, size(halo%by_id) == n, "the order has another length")
   if (allocated(error)) return
   seen = .false.
   seen(halo%by_id) = .true.
   call check(error, all(seen), "an atom is missing in the order")
   if (n > 1) call check(error, all(halo%id(halo%by_id(2:)) > halo%id(halo%by_id(:n - 1))), "ids do not ascend")
end subroutine check_order


!> A halo is used again: for fewer atoms, then for more
subroutine test_halo_again(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type) :: halo
   real(dp), allocatable :: position(:, :)
   integer(i4), allocatable :: number(:), id(:)
   integer, parameter :: lengths(*) = [30, 4, 0, 55, 54]
   integer :: k

   do k = 1, size(lengths)
      call build(halo, 2, lengths(k), 6.0_dp, -1.0_dp, position, number, id, error)
      if (allocated(error)) return
      associate (n => lengths(k))
         call check(error, halo%n_local == n .and. halo%n_total == n .and. halo%n_center == n, "numbers of atoms")
         call check(error, all(abs(halo%position(:, :n) - position) <= 0.0_dp) .and. all(halo%id(:n) == id), &
            & "atoms of an earlier build")
      end associate
      call check_order(halo, error)
      if (allocated(error)) return
   end do
end subroutine test_halo_again


!> Positions go in and forces come out as they are
subroutine test_halo_refresh(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type) :: halo
   real(dp), allocatable :: position(:, :)
   integer(i4), allocatable :: number(:), id(:)
   real(dp) :: forces(3, 20)

   call build(halo, 1, 20, 6.0_dp, -1.0_dp, position, number, id, error)
   if (allocated(error)) return
   position = position + 0.25_dp
   halo%peer_failed = .true.
   call refresh_positions(halo, position)
   call check(error, all(abs(halo%position(:, :20) - position) <= 0.0_dp), "positions are not the new ones")
   call check(error, .not. halo%peer_failed, "an earlier failure is still remembered")
   call random_number(halo%forces)
   forces = 0.0_dp
   call return_forces(halo, .true., forces)
   call check(error, all(abs(forces - halo%forces(:, :20)) <= 0.0_dp), "forces are not those of the provider")
   call check(error, .not. halo%peer_failed, "a rank on its own has a peer that failed")
end subroutine test_halo_refresh


!> Three own atoms, and four ghosts that are images of two of them
subroutine new_images(halo)
   type(halo_type), intent(out) :: halo

   halo%comm = new_serial_comm()
   halo%n_local = 3
   halo%n_center = 3
   halo%n_total = 7
   halo%n_peers = 1
   allocate(halo%peer(1))
   halo%peer(1)%rank = 0
   halo%peer(1)%n_send = 4
   halo%peer(1)%n_recv = 4
   halo%send_atom = [1, 3, 1, 3]
   halo%send_shift = reshape([10.0_dp, 0.0_dp, 0.0_dp, 10.0_dp, 0.0_dp, 0.0_dp, -10.0_dp, 0.0_dp, 0.0_dp, &
      & 0.0_dp, 20.0_dp, 0.0_dp], [3, 4])
   halo%ghost = [6, 4, 7, 5]
   halo%fold = reshape([0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, -10.0_dp, 0.0_dp, 5.0_dp], [3, 3])
   call grow(halo%position, 7)
   call grow(halo%forces, 7)
end subroutine new_images


!> Positions reach the images of own atoms, and forces on them come back
subroutine test_halo_own_images(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type) :: halo
   real(dp) :: position(3, 3), forces(3, 3), wanted(3, 7)
   integer :: k

   call new_images(halo)
   call random_number(position)
   call refresh_positions(halo, position)
   wanted(:, :3) = position - halo%fold
   wanted(:, 6) = wanted(:, 1) + [10.0_dp, 0.0_dp, 0.0_dp]
   wanted(:, 4) = wanted(:, 3) + [10.0_dp, 0.0_dp, 0.0_dp]
   wanted(:, 7) = wanted(:, 1) - [10.0_dp, 0.0_dp, 0.0_dp]
   wanted(:, 5) = wanted(:, 3) + [0.0_dp, 20.0_dp, 0.0_dp]
   do k = 1, 7
      call check(error, all(abs(halo%position(:, k) - wanted(:, k)) < 1.0e-13_dp), "position of atom " // to_text(k))
   end do
   call random_number(halo%forces)
   call return_forces(halo, .true., forces)
   associate (f => halo%forces)
      call check(error, all(abs(forces(:, 1) - f(:, 1) - f(:, 6) - f(:, 7)) < 1.0e-13_dp), "forces of two images")
      call check(error, all(abs(forces(:, 2) - f(:, 2)) < 1.0e-13_dp), "forces on an atom without images")
      call check(error, all(abs(forces(:, 3) - f(:, 3) - f(:, 4) - f(:, 5)) < 1.0e-13_dp), "forces of other images")
   end associate
end subroutine test_halo_own_images


!> Rows of features: owners' copied to ghosts, ghosts' added to owners' and cleared; in either precision
subroutine test_halo_features(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type), target :: halo
   integer, parameter :: width = 5
   real(c_double), target :: double(width, 7)
   real(c_float), target :: single(width, 7)
   real(dp) :: start(width, 7)

   call new_images(halo)
   call random_number(start)
   double = start
   call check(error, exchange_features(c_loc(halo), exchange_forward, int(width, c_int), exchange_double, &
      & c_loc(double)) == 0_c_int, "forward in double precision failed")
   call check_forward(double, "double precision")
   single = real(start, c_float)
   call check(error, exchange_features(c_loc(halo), exchange_forward, int(width, c_int), exchange_single, &
      & c_loc(single)) == 0_c_int, "forward in single precision failed")
   start = real(real(start, c_float), dp)
   call check_forward(real(single, dp), "single precision")
   double = start
   call check(error, exchange_features(c_loc(halo), exchange_backward, int(width, c_int), exchange_double, &
      & c_loc(double)) == 0_c_int, "backward in double precision failed")
   call check_backward(double, 1.0e-14_dp, "double precision")
   single = real(start, c_float)
   call check(error, exchange_features(c_loc(halo), exchange_backward, int(width, c_int), exchange_single, &
      & c_loc(single)) == 0_c_int, "backward in single precision failed")
   call check_backward(real(single, dp), 1.0e-6_dp, "single precision")
   call check(error, halo%n_exchanges == 4 .and. .not. halo%peer_failed, "four exchanges were not counted as four")

contains

   subroutine check_forward(rows, what)
      real(dp), intent(in) :: rows(width, 7)
      character(len=*), intent(in) :: what

      call check(error, all(abs(rows(:, :3) - start(:, :3)) <= 0.0_dp), what // ": rows of owners changed")
      call check(error, all(abs(rows(:, [6, 4, 7, 5]) - start(:, [1, 3, 1, 3])) <= 0.0_dp), what // ": ghosts are not "&
         & // "their owners")
   end subroutine check_forward

   subroutine check_backward(rows, tolerance, what)
      real(dp), intent(in) :: rows(width, 7), tolerance
      character(len=*), intent(in) :: what

      call check(error, all(abs(rows(:, 1) - start(:, 1) - start(:, 6) - start(:, 7)) < tolerance) .and. &
         & all(abs(rows(:, 2) - start(:, 2)) <= 0.0_dp) .and. &
         & all(abs(rows(:, 3) - start(:, 3) - start(:, 4) - start(:, 5)) < tolerance), what // ": sums")
      call check(error, all(abs(rows(:, 4:)) <= 0.0_dp), what // ": rows of ghosts are left")
   end subroutine check_backward

end subroutine test_halo_features


!> What a provider may get wrong is status 2, and nothing is touched
subroutine test_halo_wrong_arguments(error)
   type(error_type), allocatable, intent(out) :: error
   type(halo_type), target :: halo
   real(c_double), target :: rows(2, 7)

   call new_images(halo)
   rows = 1.0_c_double
   rows(:, 4:) = 2.0_c_double
   call refused(2_c_int, 2_c_int, exchange_double, "a direction that is not there")
   call refused(-1_c_int, 2_c_int, exchange_double, "a negative direction")
   call refused(exchange_forward, -1_c_int, exchange_double, "a negative width")
   call refused(exchange_forward, 2_c_int, 2_c_int, "a type that is not there")
   call refused(exchange_forward, 2_c_int, -1_c_int, "a negative type")
   call check(error, exchange_features(c_loc(halo), exchange_forward, 0_c_int, exchange_double, &
      & c_loc(rows)) == 0_c_int, "rows without numbers are refused")
   call check(error, all(rows(:, 4:) > 1.5_c_double), "rows were changed")

contains

   subroutine refused(direction, width, type, what)
      integer(c_int), intent(in) :: direction, width, type
      character(len=*), intent(in) :: what

      call check(error, exchange_features(c_loc(halo), direction, width, type, c_loc(rows)) == 2_c_int, &
         & what // " is accepted")
   end subroutine refused

end subroutine test_halo_wrong_arguments

end module test_halo
