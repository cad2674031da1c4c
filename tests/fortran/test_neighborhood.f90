! SPDX-License-Identifier: MIT
!> Ghosts against a search over all images: none is missing, none comes twice, and ranks agree on who sends to whom.
module test_neighborhood
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type, widths
   use fennix_grid, only : brick_of, frame, gap_of, grid_type, new_grid
   use fennix_neighborhood, only : find_near, near_type
   use brick_samples, only : cell_name, n_cells, new_spread, sample_cell, sample_positions, sample_shapes, shape_text, &
      & spread_type, view_of, view_type
   use test_runner, only : check
   implicit none
   private
   public :: test_near_ghosts, test_near_drifted, test_near_faces, test_near_few, test_near_symmetric, test_near_ties, &
      & test_near_order

   !> From a small part of a brick to wider than any box, Å
   real(dp), parameter :: halo_widths(*) = [0.7_dp, 3.0_dp, 5.0_dp, 7.7_dp, 26.0_dp]

contains


!> Atoms in the bricks of their owners
subroutine test_near_ghosts(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_spreads(28, 0, error)
end subroutine test_near_ghosts


!> Atoms that have left the bricks of their owners, a few of them by more than a box
subroutine test_near_drifted(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_spreads(20, 1, error)
   if (.not. allocated(error)) call for_all_spreads(20, 2, error)
end subroutine test_near_drifted


!> Atoms on the faces of bricks, and exactly as far apart as the halo is wide
subroutine test_near_faces(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_spreads(27, 3, error)
end subroutine test_near_faces


!> Fewer atoms than ranks
subroutine test_near_few(error)
   type(error_type), allocatable, intent(out) :: error

   call for_all_spreads(1, 0, error)
   if (.not. allocated(error)) call for_all_spreads(3, 1, error)
end subroutine test_near_few


!> Every cell, shape and width of the halo
subroutine for_all_spreads(n, how, error)
   !> Atoms
   integer, intent(in) :: n
   !> 0 in place, 1 a little drifted, 2 far drifted, 3 on a lattice that meets the faces
   integer, intent(in) :: how
   type(error_type), allocatable, intent(out) :: error
   type(spread_type) :: spread
   type(cell_type) :: cell
   integer, allocatable :: shapes(:, :)
   integer :: kind, k, w

   shapes = sample_shapes()
   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      do k = 1, size(shapes, 2)
         do w = 1, size(halo_widths)
            if (allocated(error)) return
            call make_spread(spread, cell, shapes(:, k), n, how)
            call check_ghosts(spread, cell, halo_widths(w), error)
            if (allocated(error)) error%message = trim(cell_name(kind)) // ", " // shape_text(shapes(:, k)) // &
               & ", halo " // to_text(halo_widths(w)) // ", atoms " // to_text(n) // ": " // error%message
         end do
      end do
   end do
end subroutine for_all_spreads


subroutine make_spread(spread, cell, shape, n, how)
   type(spread_type), intent(out) :: spread
   type(cell_type), intent(in) :: cell
   integer, intent(in) :: shape(3), n, how
   real(dp) :: position(3, n), drift(3, n)
   integer :: iat

   position = sample_positions(cell, n)
   if (how == 0) then
      call new_spread(spread, cell, shape, position)
   else if (how == 3) then
      do iat = 1, n
         position(:, iat) = real([mod(iat, 3), mod(iat/3, 3), iat/9], dp)/3.0_dp
         if (mod(iat, 2) == 0) position(:, iat) = real(nint(position(:, iat)*shape), dp)/shape
      end do
      if (cell%periodic) then
         position = matmul(cell%vectors, position)
      else
         position = 9.0_dp*position
      end if
      call new_spread(spread, cell, shape, position)
   else
      call random_number(drift)
      drift = merge(1.0_dp, 5.0_dp, how == 1)*(drift - 0.5_dp)
      if (how == 2) drift(:, n) = [17.0_dp, -9.0_dp, 4.0_dp]
      call new_spread(spread, cell, shape, position, position + drift)
   end if
end subroutine make_spread


!> The views of all ranks
subroutine check_ghosts(spread, cell, width, error)
   type(spread_type), intent(in) :: spread
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: width
   type(error_type), allocatable, intent(inout) :: error
   type(view_type) :: view
   integer, allocatable :: base(:, :)
   logical, allocatable :: present(:, :, :, :)
   integer :: rank, n_owned, reach(3)

   n_owned = 0
   reach = 0
   if (cell%periodic) reach = merge(ceiling((width + spread%excursion)/widths(cell)) + 2, 0, spread%grid%decomposed())
   do rank = 0, spread%n_ranks - 1
      call view_of(spread, rank, width, view)
      n_owned = n_owned + view%n_local
      call mark_ghosts(spread, view, rank, reach, base, present, error)
      call check_near_enough(spread, view, rank, width, error)
      if (allocated(error)) return
      call look_for_missing(spread, cell, view, width, reach, base, present, error)
      if (allocated(error)) then
         error%message = "rank " // to_text(rank) // ": " // error%message
         return
      end if
   end do
   call check(error, n_owned == size(spread%owner), "atoms are owned by several ranks or none")
end subroutine check_ghosts


!> Which atoms are there through which images: each once, and only along decomposed lattice vectors
subroutine mark_ghosts(spread, view, rank, reach, base, present, error)
   type(spread_type), intent(in) :: spread
   type(view_type), intent(in) :: view
   integer, intent(in) :: rank, reach(3)
   !> Lattice vectors that bring each atom nearest to the middle of the brick, (3, n)
   integer, allocatable, intent(out) :: base(:, :)
   !> By image relative to base, and atom
   logical, allocatable, intent(out) :: present(:, :, :, :)
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: fractional(3)
   integer :: iat, k, m(3)

   allocate(base(3, size(spread%owner)))
   allocate(present(-reach(1):reach(1), -reach(2):reach(2), -reach(3):reach(3), size(spread%owner)), source=.false.)
   do iat = 1, size(spread%owner)
      call frame(spread%grid, brick_of(spread%grid, rank), spread%position(:, iat), fractional, base(:, iat))
      base(:, iat) = -base(:, iat)
   end do
   do k = 1, view%n_total
      iat = view%atom(k)
      m = view%image(:, k) - base(:, iat)
      call check(error, all(m == 0 .or. spread%grid%decomposed()), "a ghost through an image that shifts serve")
      call check(error, all(abs(m) <= reach), "a ghost far beyond the halo")
      if (allocated(error)) return
      if (k <= view%n_local) call check(error, all(m == 0), "an own atom is not where its brick sees it")
      call check(error, .not. present(m(1), m(2), m(3), iat), "atom " // to_text(iat) // " through image " // &
         & shape_text(m) // " is there twice")
      present(m(1), m(2), m(3), iat) = .true.
   end do
end subroutine mark_ghosts


!> No ghost that nobody needs
subroutine check_near_enough(spread, view, rank, width, error)
   type(spread_type), intent(in) :: spread
   type(view_type), intent(in) :: view
   integer, intent(in) :: rank
   real(dp), intent(in) :: width
   type(error_type), allocatable, intent(inout) :: error
   real(dp) :: gap
   integer :: k

   associate (grid => spread%grid)
      do k = view%n_local + 1, view%n_total
         gap = gap_of(grid, brick_of(grid, rank), matmul(grid%inverse, view%position(:, k) - grid%origin))
         if (gap > width + spread%excursion + 1.0e-9_dp) call check(error, .false., "a ghost " // to_text(gap) // &
            & " Å away from the brick")
      end do
   end associate
end subroutine check_near_enough


!> Whatever lies within the halo of an own atom is there
subroutine look_for_missing(spread, cell, view, width, reach, base, present, error)
   type(spread_type), intent(in) :: spread
   type(cell_type), intent(in) :: cell
   type(view_type), intent(in) :: view
   real(dp), intent(in) :: width
   integer, intent(in) :: reach(3), base(:, :)
   logical, intent(in) :: present(-reach(1):, -reach(2):, -reach(3):, :)
   type(error_type), allocatable, intent(inout) :: error
   integer :: iat, i, m1, m2, m3
   real(dp) :: place(3)

   do iat = 1, size(spread%owner)
      do m3 = -reach(3), reach(3)
         do m2 = -reach(2), reach(2)
            do m1 = -reach(1), reach(1)
               if (present(m1, m2, m3, iat)) cycle
               place = spread%position(:, iat) + matmul(cell%vectors, real(base(:, iat) + [m1, m2, m3], dp))
               do i = 1, view%n_local
                  if (.not. within(cell, spread%grid, place - view%position(:, i), width)) cycle
                  call fatal_error(error, "atom " // to_text(iat) // " of rank " // to_text(spread%owner(iat)) // &
                     & " through image " // shape_text([m1, m2, m3]) // " is missing")
                  return
               end do
            end do
         end do
      end do
   end do
end subroutine look_for_missing


!> Whether a vector, or one that differs by lattice vectors along which nothing is decomposed, is so short
function within(cell, grid, vector, width)
   type(cell_type), intent(in) :: cell
   type(grid_type), intent(in) :: grid
   !> Å
   real(dp), intent(in) :: vector(3), width
   logical :: within
   integer :: around(3), m1, m2, m3
   real(dp) :: nearest(3)

   within = norm2(vector) < width
   if (.not. cell%periodic .or. within) return
   around = merge(0, 2, grid%decomposed())
   ! No shorter than its part across the faces
   if (any(around == 0 .and. abs(matmul(cell%inverse, vector)) > width*norm2(cell%inverse, dim=2))) return
   nearest = vector - matmul(cell%vectors, merge(0.0_dp, anint(matmul(cell%inverse, vector)), grid%decomposed()))
   do m3 = -around(3), around(3)
      do m2 = -around(2), around(2)
         do m1 = -around(1), around(1)
            within = within .or. norm2(nearest + matmul(cell%vectors, real([m1, m2, m3], dp))) < width
         end do
      end do
   end do
end function within


!> One brick is near another through an image exactly when the other is near it through the opposite one
subroutine test_near_symmetric(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   integer, allocatable :: shapes(:, :)
   real(dp) :: reach
   integer :: kind, k, trial

   shapes = sample_shapes()
   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      do k = 1, size(shapes, 2)
         call new_grid(grid, shapes(:, k), cell, [0.0_dp, 0.0_dp, 0.0_dp], [10.0_dp, 12.0_dp, 14.0_dp])
         do trial = 1, 12
            if (allocated(error)) return
            call random_number(reach)
            call check_symmetric(grid, 20.0_dp*reach**2, error)
         end do
      end do
   end do
end subroutine test_near_symmetric


!> The same where bricks lie exactly as far apart as the halo is wide, whichever way that rounds: a rank that waits for
!> another that does not send waits for ever
subroutine test_near_ties(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   integer :: kind, n, k, shape(3)

   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      do n = 2, 31
         shape = [1, 1, n]
         call new_grid(grid, cshift(shape, kind), cell, [0.0_dp, 0.0_dp, 0.0_dp], [10.0_dp, 12.0_dp, 14.0_dp])
         do k = 1, 2*n
            if (allocated(error)) return
            call check_symmetric(grid, k*maxval(grid%width/n, mask=grid%shape > 1), error)
         end do
      end do
   end do
end subroutine test_near_ties


subroutine check_symmetric(grid, reach, error)
   type(grid_type), intent(in) :: grid
   real(dp), intent(in) :: reach
   type(error_type), allocatable, intent(inout) :: error
   type :: list_type
      type(near_type), allocatable :: near(:)
   end type list_type
   type(list_type) :: of(0:product(grid%shape) - 1)
   integer :: rank, k, j
   logical :: found

   do rank = 0, product(grid%shape) - 1
      call find_near(grid, rank, reach, of(rank)%near)
   end do
   do rank = 0, product(grid%shape) - 1
      do k = 1, size(of(rank)%near)
         associate (mine => of(rank)%near(k))
            found = .false.
            do j = 1, size(of(mine%rank)%near)
               if (of(mine%rank)%near(j)%rank /= rank) cycle
               found = found .or. all(of(mine%rank)%near(j)%image == -mine%image)
            end do
            if (found) cycle
            call fatal_error(error, shape_text(grid%shape) // " bricks across " // to_text(grid%width(1)) // ", " // &
               & to_text(grid%width(2)) // ", " // to_text(grid%width(3)) // " Å, reach " // to_text(reach) // &
               & ": rank " // to_text(rank) // " finds rank " // to_text(mine%rank) // " through image " // &
               & shape_text(mine%image) // ", which does not find it")
            return
         end associate
      end do
   end do
end subroutine check_symmetric


!> Bricks come in the order of ranks, each image once, never the brick itself at its own place
subroutine test_near_order(error)
   type(error_type), allocatable, intent(out) :: error
   type(grid_type) :: grid
   type(cell_type) :: cell
   type(near_type), allocatable :: near(:)
   integer, allocatable :: shapes(:, :)
   integer :: kind, k, w, rank, i, j

   shapes = sample_shapes()
   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      do k = 1, size(shapes, 2)
         call new_grid(grid, shapes(:, k), cell, [0.0_dp, 0.0_dp, 0.0_dp], [10.0_dp, 12.0_dp, 14.0_dp])
         do w = 1, size(halo_widths)
            rank = mod(w, product(grid%shape))
            call find_near(grid, rank, halo_widths(w), near)
            call check(error, size(near) > 0, "no brick is near")
            call check(error, all(near(2:)%rank >= near(:size(near) - 1)%rank), "ranks are out of order")
            do i = 1, size(near)
               call check(error, all(near(i)%brick == brick_of(grid, near(i)%rank)), "brick and rank differ")
               call check(error, near(i)%rank /= rank .or. any(near(i)%image /= 0), "a brick is near itself")
               do j = 1, i - 1
                  if (near(j)%rank /= near(i)%rank) cycle
                  call check(error, any(near(j)%image /= near(i)%image), "a brick is near twice")
               end do
            end do
            if (allocated(error)) return
         end do
      end do
   end do
end subroutine test_near_order

end module test_neighborhood
